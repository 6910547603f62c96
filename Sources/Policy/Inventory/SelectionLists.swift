/// The lists of policies that select pods, each kept once: pods of one controller share theirs.
struct SelectionLists: Sendable {
  struct List: Sendable {
    /// Ascending.
    var policies: [Int]
    var references: [String]
  }

  private var lists: [List] = [List(policies: [], references: [])]
  private var listOfPod: [Int] = []

  /// `policies` of each pod, in the order of the pods; `references` of each policy.
  init(_ policies: [[Int]], references: [String]) {
    var known: [[Int]: Int] = [[]: 0]
    for ids in policies {
      let list = known[ids] ?? lists.count
      if list == lists.count {
        known[ids] = list
        lists.append(List(policies: ids, references: ids.map { references[$0] }))
      }
      listOfPod.append(list)
    }
  }

  subscript(pod: Int) -> List { lists[listOfPod[pod]] }
}
