/* SPDX-License-Identifier: GPL-2.0 */
/* What a mapping of a process is called, and how much of its own memory is in it. */
#ifndef COMPAT_MAPPING_H
#define COMPAT_MAPPING_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/version.h>

/**
 * lw_vma_name() - the name that a program has given to a mapping
 * @vma: the mapping, its address space locked
 *
 * Under RCU, for as long as the name is used: a file may be given another. Kernels before 5.17,
 * and those without CONFIG_ANON_VMA_NAME, know only that of a file in memory, as ashmem is.
 *
 * Return: the name, NULL if it has none.
 */
static inline const char *lw_vma_name(const struct vm_area_struct *vma)
{
	if (vma->vm_file)
		return (const char *)vma->vm_file->f_path.dentry->d_name.name;
#ifdef CONFIG_ANON_VMA_NAME
	if (vma->anon_name)
		return vma->anon_name->name;
#endif
	return NULL;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 11, 0)
#define p4d_t		pgd_t
#define p4d_offset(pgd, addr)	(pgd)
#define p4d_none(p4d)	pgd_none(p4d)
#define p4d_bad(p4d)	pgd_bad(p4d)
#define P4D_SIZE	PGDIR_SIZE
#endif

/*
 * Where what begins at a multiple of @size and has @addr in it ends, or @end if that is before. The
 * kernel's own pmd_addr_end() and its like are @end where a level is folded: they are for walks
 * that come down from the level above.
 */
static inline unsigned long lw_end_of(unsigned long addr, unsigned long size, unsigned long end)
{
	unsigned long next = (addr & ~(size - 1)) + size;

	return next - 1 < end - 1 ? next : end;		/* the last one ends at 0 */
}

/* Pages of a file that were not written to are the file's. */
static inline bool lw_pte_own(pte_t pte, bool file)
{
	if (!pte_present(pte))
		return !pte_none(pte);		/* in swap, or on its way */
	if (pte_special(pte))
		return false;			/* no page, or that of zeroes */
	return !file || (pfn_valid(pte_pfn(pte)) && PageAnon(pfn_to_page(pte_pfn(pte))));
}

/* Of one page of the lowest table, or of a huge page. Tables are freed by RCU, if at all. */
static inline unsigned long lw_pmd_own(pmd_t *at, unsigned long addr, unsigned long end, bool file)
{
	unsigned long pages = 0;
	pmd_t pmd;
	pte_t *pte;

	rcu_read_lock();
	pmd = READ_ONCE(*at);
	if (pmd_present(pmd) && pmd_trans_huge(pmd)) {
		pages = file ? 0 : (end - addr) >> PAGE_SHIFT;
	} else if (pmd_present(pmd) && !pmd_bad(pmd)) {
		for (pte = pte_offset_kernel(&pmd, addr); addr < end; pte++, addr += PAGE_SIZE)
			pages += lw_pte_own(READ_ONCE(*pte), file);
	}
	rcu_read_unlock();
	return pages;
}

/**
 * lw_vma_own_pages() - how many pages in a mapping are the process's own, those in swap included
 * @vma: the mapping, its address space locked for reading
 *
 * Process context. Return: how many; 0 where page tables can be in high memory.
 */
static inline unsigned long lw_vma_own_pages(const struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, size, pages = 0;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;

	if (IS_ENABLED(CONFIG_HIGHPTE) ||
	    vma->vm_flags & (VM_SHARED | VM_HUGETLB | VM_PFNMAP | VM_IO))
		return 0;
	for (; addr < vma->vm_end; addr = lw_end_of(addr, size, vma->vm_end)) {
		cond_resched();
		size = PGDIR_SIZE;
		pgd = pgd_offset(vma->vm_mm, addr);
		if (pgd_none(*pgd) || pgd_bad(*pgd))
			continue;
		size = P4D_SIZE;
		p4d = p4d_offset(pgd, addr);
		if (p4d_none(*p4d) || p4d_bad(*p4d))
			continue;
		size = PUD_SIZE;
		pud = pud_offset(p4d, addr);
		if (pud_none(*pud) || pud_bad(*pud))
			continue;
		size = PMD_SIZE;
		pages += lw_pmd_own(pmd_offset(pud, addr), addr,
				    lw_end_of(addr, size, vma->vm_end), vma->vm_file);
	}
	return pages;
}

#endif
