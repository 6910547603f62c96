internal import CMalloc

/// How glibc's allocator serves this process.
public enum Allocator {
  /// So many heaps for all threads. Only the first call counts, and only before a second thread allocates: glibc keeps the number it found then.
  ///
  /// By default each thread has a heap of its own, and a batch that one thread makes and another lets go of stays with the maker's.
  public static func limitHeaps(to count: Int32) { mallopt(M_ARENA_MAX, count) }

  /// Gives blocks of this many octets and more back to the kernel as soon as they are freed.
  ///
  /// By default the bound rises with the first such block that is freed, up to 32 MiB, and tables that are made anew leave holes in the heap.
  public static func returnLargeBlocks(from octets: Int32) { mallopt(M_MMAP_THRESHOLD, octets) }

  /// Gives the kernel back what is free, at the end of work whose memory no later work will use: heaps do not share what they have.
  public static func returnFreeMemory() { malloc_trim(0) }

  /// Takes the program's code out of its resident memory; what of it runs comes back, from the file's cache.
  ///
  /// The kernel maps 64 KiB for each octet that ran once, and most of what a daemon runs at its start it never runs again.
  public static func returnCode() { cmalloc_return_code() }
}
