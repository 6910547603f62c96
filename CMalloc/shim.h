// What Swift's Glibc module leaves out. No feature macro here: structs of libc would differ from those of that module.
#include <elf.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

// Takes the program's code out of its resident memory, as the kernel tells where its program headers are.
static inline void cmalloc_return_code(void) {
#if __SIZEOF_POINTER__ == 8
  const Elf64_Phdr *parts = (const Elf64_Phdr *)getauxval(AT_PHDR);
  unsigned long count = getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);
  for (unsigned long table = 0; parts && page && table < count; table++) {
    if (parts[table].p_type != PT_PHDR) continue;
    uintptr_t base = (uintptr_t)parts - parts[table].p_vaddr;
    for (unsigned long index = 0; index < count; index++) {
      // Code is the file's own, never written; what of it runs is read back from the file's cache.
      if (parts[index].p_type != PT_LOAD || !(parts[index].p_flags & PF_X) || parts[index].p_flags & PF_W) continue;
      uintptr_t start = (base + parts[index].p_vaddr) & ~(page - 1);
      uintptr_t end = (base + parts[index].p_vaddr + parts[index].p_filesz) & ~(page - 1);
      madvise((void *)start, end - start, MADV_DONTNEED);
    }
  }
#endif
}
