/// The lists of policies that select pods, each kept once: pods of one controller share theirs.
struct SelectionLists: Sendable {
  struct List: Sendable {
    static let none = List(policies: [], references: [])
    /// Ascending.
    var policies: [Int]
    /// Each once.
    var references: [String]
  }

  private var lists: [List] = [.none]
  private var listOfPod: [Int] = []

  /// `policies` of each pod, in the order of the pods; `references` of each policy.
  init(_ policies: [[Int]], references: [String]) {
    var known: [[Int]: Int] = [[]: 0]
    for ids in policies {
      let list = known[ids] ?? lists.count
      if list == lists.count {
        known[ids] = list
        // Parts of one policy stand together.
        let names = ids.map { references[$0] }
        lists.append(List(policies: ids, references: names.enumerated().filter { $0 == 0 || names[$0 - 1] != $1 }.map(\.element)))
      }
      listOfPod.append(list)
    }
  }

  subscript(pod: Int) -> List { lists[listOfPod[pod]] }
}
