internal import CMalloc

/// How glibc's allocator serves this process.
public enum Allocator {
  /// So many heaps for all threads; call it before the threads begin that are to share them.
  ///
  /// By default each thread has a heap of its own, and a batch that one thread makes and another lets go of stays with the maker's.
  public static func limitHeaps(to count: Int32) { mallopt(M_ARENA_MAX, count) }
}
