internal import CMalloc

/// How glibc's allocator serves this process.
public enum Allocator {
  /// One heap for every thread; call it before the second one begins.
  ///
  /// By default each thread has a heap of its own, and a batch that one thread makes and another lets go of stays with the maker's.
  public static func shareOneHeap() { mallopt(M_ARENA_MAX, 1) }
}
