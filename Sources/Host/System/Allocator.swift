internal import CMalloc

/// How glibc's allocator serves this process.
public enum Allocator {
  /// Sets it up for batches that one thread makes and another lets go of; call it before the second thread begins.
  ///
  /// By default each thread has a heap of its own, and gives memory back to the kernel as soon as some is free. Batches would then be
  /// faulted in anew each time, and what the recorder frees would stay with the meter's heap.
  public static func prepareForBatches() {
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TOP_PAD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 16 << 20)
  }
}
