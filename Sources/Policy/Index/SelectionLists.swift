/// The lists of policies that select workloads, each kept once: pods of one controller share theirs.
struct SelectionLists: Sendable {
  struct List: Sendable {
    static let none = List(policies: [], references: [], groups: [])
    /// Ascending.
    var policies: [Int]
    /// Each once.
    var references: [String]
    /// The groups that the policies are in.
    var groups: [Int]
  }

  private var lists: [List] = [.none]
  private var listOfWorkload: [Int] = []
  /// Policies that select the same workloads are one group; nil for one that selects none.
  private(set) var groupOfPolicy: [Int?]

  /// `policies` of each workload, ascending, in the order of the workloads; `references` of each policy.
  init(_ policies: [[Int]], references: [String]) {
    var known: [[Int]: Int] = [[]: 0]
    var listsOfPolicy: [[Int]] = Array(repeating: [], count: references.count)
    for ids in policies {
      let list = known[ids] ?? lists.count
      if list == lists.count {
        known[ids] = list
        for id in ids { listsOfPolicy[id].append(list) }
        // Parts of one policy stand together.
        let names = ids.map { references[$0] }
        lists.append(List(policies: ids, references: names.enumerated().filter { $0 == 0 || names[$0 - 1] != $1 }.map(\.element), groups: []))
      }
      listOfWorkload.append(list)
    }
    var groups: [[Int]: Int] = [:]
    groupOfPolicy = listsOfPolicy.map { lists in
      guard !lists.isEmpty else { return nil }
      let group = groups[lists] ?? groups.count
      groups[lists] = group
      return group
    }
    for (lists, group) in groups {
      for list in lists { self.lists[list].groups.append(group) }
    }
  }

  subscript(workload: Int) -> List { lists[listOfWorkload[workload]] }

  /// For each workload the references of all its policies in several tables, sorted.
  static func references(in tables: [SelectionLists]) -> [[String]] {
    var known: [[Int]: [String]] = [:]
    return (tables.first?.listOfWorkload.indices ?? 0..<0).map { workload in
      let key = tables.map { $0.listOfWorkload[workload] }
      if let references = known[key] { return references }
      let references = tables.flatMap { $0[workload].references }.sorted()
      known[key] = references
      return references
    }
  }
}

extension Sequence<[Int]> {
  /// The lists as they are, those that are equal in one place: pods of one controller have the same.
  var sharingEqual: [[Int]] {
    var known: Set<[Int]> = []
    return map { known.insert($0).memberAfterInsert }
  }
}
