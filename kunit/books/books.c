// SPDX-License-Identifier: GPL-2.0
/*
 * books: which slab objects the kernel itself holds to be allocated, one by one, and by whom.
 *
 * It is what leakwatch's slab/live is compared with. It shares no code with leakwatch and hooks
 * nothing: it reads SLUB's own structures while the machine is stopped. An object of a slab is
 * allocated if it is neither on the slab's freelist nor on that of the CPU that owns the slab. Who
 * allocated it says its track (slub_debug=U) or its code tag (memory profiling), if it has one.
 *
 * In /sys/kernel/debug/books:
 *
 * take		write anything: a snapshot is taken
 * objects	the snapshot; if none was taken since this was last opened, it is now
 * stacks	the stacks of the last snapshot's tracks
 * now		the time, as WHEN has it: ms since boot
 *
 * What a snapshot cannot know is what is in a task's hands at that moment: an object that was taken
 * from a freelist and not yet announced, or announced as free and not yet put back. Neither can
 * be told from an allocated one. A slab that is just being made has inuse 0: it is passed over.
 * What a snapshot does have is the process that took it, with all that it needs to live: a shell
 * that writes to take, by a descriptor that it had before, adds nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/stackdepot.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "slab.h"

#ifdef CONFIG_KFENCE
#error "KFENCE's objects are on no slab's freelist: not read here"
#endif

#define MAX_CACHES	1024
#define MAX_SITES	16384	/* addresses with a name at once, a power of two */
#define SITE_TEXT	128

/* mm/slub.c: private to it, the same in 6.1 and 6.12 */
struct track {
	unsigned long addr;
#ifdef CONFIG_STACKDEPOT
	depot_stack_handle_t handle;
#endif
	int cpu;
	int pid;
	unsigned long when;
};

#ifndef BOOKS_HAS_SLUB_DEF
/* mm/slub.c: its first words; the rest is not read */
struct kmem_cache_cpu {
	union {
		struct {
			void **freelist;
			unsigned long tid;
		};
		freelist_aba_t freelist_tid;
	};
	struct slab *slab;
};
#endif

struct codetag;

struct object {
	unsigned long addr;
	unsigned long site;	/* of its track: an address, 0 if it has none */
	unsigned long when;	/* ms, of its track */
	struct codetag *tag;	/* or NULL */
	u32 handle;
	u16 cache;
};

struct cache {
	const struct kmem_cache *cache;
	char name[46];
};

static DEFINE_MUTEX(lock);	/* all that follows */

static struct {
	struct object *object;
	unsigned long nr, max;
	struct cache *cache;
	unsigned int nr_caches;
	unsigned long now;	/* ms */
	bool broken;		/* a freelist that leads out of its slab */
	bool fresh;		/* not printed yet */
} snap;

/* Text of an address: kallsyms is slow, and there are few. */
struct site {
	unsigned long addr;
	char text[SITE_TEXT];
};

static struct site *sites;

static unsigned long ms(unsigned long when)
{
	return jiffies_to_msecs(when - INITIAL_JIFFIES);
}

/* While the machine is stopped: allocates nothing, calls nothing that might. */

static DECLARE_BITMAP(is_free, 1 << 15);	/* slab->objects has 15 bits */

static unsigned int cache_nr(const struct kmem_cache *cache)
{
	static unsigned int last;
	unsigned int i;

	if (last < snap.nr_caches && snap.cache[last].cache == cache)
		return last;
	for (i = 0; i < snap.nr_caches; i++)
		if (snap.cache[i].cache == cache)
			return last = i;
	if (i == MAX_CACHES)
		return 0;
	snap.nr_caches++;
	snap.cache[i].cache = cache;
	strscpy(snap.cache[i].name, cache->name, sizeof(snap.cache[i].name));
	strreplace(snap.cache[i].name, ' ', '_');
	return last = i;
}

static void *next_free(const struct kmem_cache *cache, void *object)
{
	unsigned long at = (unsigned long)object + cache->offset;
	unsigned long next = *(unsigned long *)at;

#ifdef CONFIG_SLAB_FREELIST_HARDENED
	next ^= cache->random ^ swab(at);
#endif
	return (void *)next;
}

static void cross_out(const struct kmem_cache *cache, const struct slab *slab, void *start,
		      void *object)
{
	unsigned int left = slab->objects, nr;

	for (; object; object = next_free(cache, object)) {
		nr = (object - start) / cache->size;
		if (object < start || nr >= slab->objects || !left--) {
			snap.broken = true;
			return;
		}
		__set_bit(nr, is_free);
	}
}

static void add_track(struct object *to, const struct kmem_cache *cache, const void *object)
{
	const struct track *track = object + cache->inuse;

	if (!(cache->flags & SLAB_STORE_USER))
		return;
	if (cache->offset >= cache->inuse)
		track = (const void *)track + sizeof(void *);
	to->site = track->addr;
	to->when = ms(track->when);
#ifdef CONFIG_STACKDEPOT
	to->handle = track->handle;
#endif
}

static void add_tag(struct object *to, struct slab *slab, unsigned int nr)
{
#ifdef CONFIG_MEM_ALLOC_PROFILING
	struct slabobj_ext *ext = slab_obj_exts(slab);

	if (ext && ext[nr].ref.ct && !is_codetag_empty(&ext[nr].ref))
		to->tag = ext[nr].ref.ct;
#endif
}

static void add_slab(struct slab *slab)
{
	const struct kmem_cache *cache = slab->slab_cache;
	const struct kmem_cache_cpu *of_cpu;
	void *start = slab_address(slab), *object;
	struct object *to, none;
	unsigned int i;
	int cpu;

	if (!cache || !slab->inuse)
		return;
	bitmap_zero(is_free, slab->objects);
	cross_out(cache, slab, start, slab->freelist);
	for_each_possible_cpu(cpu) {
		of_cpu = per_cpu_ptr(cache->cpu_slab, cpu);
		if (of_cpu->slab == slab)
			cross_out(cache, slab, start, of_cpu->freelist);
	}
	for_each_clear_bit(i, is_free, slab->objects) {
		to = snap.nr < snap.max ? &snap.object[snap.nr] : &none;
		snap.nr++;
		object = start + i * cache->size;
		if (cache->flags & SLAB_RED_ZONE)
			object += cache->red_left_pad;
		memset(to, 0, sizeof(*to));
		to->addr = (unsigned long)object;
		to->cache = cache_nr(cache);
		add_track(to, cache, object);
		add_tag(to, slab, i);
	}
}

static int read_books(void *unused)
{
	unsigned long pfn, end;
	struct page *page;
	int node;

	snap.nr = 0;
	snap.nr_caches = 0;
	snap.broken = false;
	snap.now = ms(jiffies);
	for_each_online_node(node) {
		end = node_end_pfn(node);
		for (pfn = node_start_pfn(node); pfn < end; pfn++) {
			page = pfn_valid(pfn) ? pfn_to_online_page(pfn) : NULL;
			if (!page || PageTail(page) || !folio_test_slab((struct folio *)page))
				continue;
			add_slab(page_slab(page));
		}
	}
	return 0;
}

/* Until there was room for all. */
static int take(void)
{
	unsigned long wanted = 1 << 16;
	int err;

	for (;;) {
		if (wanted > snap.max) {
			vfree(snap.object);
			snap.max = 0;
			snap.object = vmalloc(array_size(wanted, sizeof(*snap.object)));
			if (!snap.object)
				return -ENOMEM;
			snap.max = wanted;
		}
		err = stop_machine(read_books, NULL, NULL);
		if (err)
			return err;
		if (snap.broken)
			return -EUCLEAN;
		if (snap.nr <= snap.max)
			return 0;
		wanted = snap.nr + snap.nr / 8;
		snap.nr = 0;
	}
}

/* "function+0xoffset", without the size and the module, so that it is one word. */
static const char *site_text(unsigned long addr)
{
	struct site *site = &sites[hash_long(addr, ilog2(MAX_SITES))];
	char text[KSYM_SYMBOL_LEN];

	if (site->addr != addr) {
		sprint_symbol(text, addr);
		text[strcspn(text, "/ ")] = 0;
		strscpy(site->text, text, sizeof(site->text));
		site->addr = addr;
	}
	return site->text;
}

static void print_tag(struct seq_file *seq, const struct codetag *tag)
{
#ifdef CONFIG_MEM_ALLOC_PROFILING
	if (tag) {
		seq_printf(seq, "%s@%s:%u\n", tag->function, tag->filename, tag->lineno);
		return;
	}
#endif
	seq_puts(seq, "-\n");
}

static void *objects_at(loff_t pos)
{
	if (!pos)
		return SEQ_START_TOKEN;
	return pos <= snap.nr ? &snap.object[pos - 1] : NULL;
}

static void *objects_start(struct seq_file *seq, loff_t *pos)
{
	mutex_lock(&lock);
	return objects_at(*pos);
}

static void *objects_next(struct seq_file *seq, void *at, loff_t *pos)
{
	return objects_at(++*pos);
}

static void objects_stop(struct seq_file *seq, void *at)
{
	mutex_unlock(&lock);
}

static int objects_show(struct seq_file *seq, void *at)
{
	struct object *object = at;

	if (at == SEQ_START_TOKEN) {
		seq_printf(seq, "# books objects %lu now %lu\n", snap.nr, snap.now);
		seq_puts(seq, "ADDRESS CACHE SITE WHEN STACK TAG\n");
		return 0;
	}
	seq_printf(seq, "0x%lx %s ", object->addr, snap.cache[object->cache].name);
	if (object->site)
		seq_printf(seq, "%s %lu %u ", site_text(object->site), object->when,
			   object->handle);
	else
		seq_puts(seq, "- - 0 ");
	print_tag(seq, object->tag);
	return 0;
}

static const struct seq_operations objects_ops = {
	.start = objects_start,
	.next = objects_next,
	.stop = objects_stop,
	.show = objects_show,
};

static int objects_open(struct inode *inode, struct file *file)
{
	int err = seq_open(file, &objects_ops);

	if (err)
		return err;
	mutex_lock(&lock);
	if (!snap.fresh)
		err = take();
	snap.fresh = false;
	mutex_unlock(&lock);
	if (err)
		seq_release(inode, file);
	return err;
}

static const struct file_operations objects_fops = {
	.owner = THIS_MODULE,
	.open = objects_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

static ssize_t take_write(struct file *file, const char __user *text, size_t nr, loff_t *pos)
{
	int err;

	mutex_lock(&lock);
	err = take();
	snap.fresh = !err;
	mutex_unlock(&lock);
	return err ?: nr;
}

static const struct file_operations take_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = take_write,
};

#ifdef CONFIG_STACKDEPOT
static int compare_handles(const void *a, const void *b)
{
	u32 one = *(const u32 *)a, two = *(const u32 *)b;

	return one < two ? -1 : one > two;
}

static void print_stack(struct seq_file *seq, u32 handle)
{
	unsigned long *frame;
	unsigned int nr = stack_depot_fetch(handle, &frame), i;

	seq_printf(seq, "%u", handle);
	for (i = 0; i < nr; i++)
		seq_printf(seq, " %s", site_text(frame[i]));
	seq_putc(seq, '\n');
}

static int stacks_show(struct seq_file *seq, void *unused)
{
	unsigned long i, nr = 0;
	u32 *handle;

	mutex_lock(&lock);
	handle = vmalloc(array_size(snap.nr + 1, sizeof(*handle)));
	if (!handle) {
		mutex_unlock(&lock);
		return -ENOMEM;
	}
	for (i = 0; i < snap.nr; i++)
		if (snap.object[i].handle)
			handle[nr++] = snap.object[i].handle;
	sort(handle, nr, sizeof(*handle), compare_handles, NULL);
	seq_puts(seq, "# books stacks\nSTACK FRAMES\n");
	for (i = 0; i < nr; i++)
		if (!i || handle[i] != handle[i - 1])
			print_stack(seq, handle[i]);
	vfree(handle);
	mutex_unlock(&lock);
	return 0;
}
#else
static int stacks_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "# books stacks\nSTACK FRAMES\n");
	return 0;
}
#endif

static int stacks_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, stacks_show, NULL, 4 << 20);
}

static const struct file_operations stacks_fops = {
	.owner = THIS_MODULE,
	.open = stacks_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int now_get(void *unused, u64 *value)
{
	*value = ms(jiffies);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(now_fops, now_get, NULL, "%llu\n");

static struct dentry *dir;

static void books_free(void)
{
	vfree(snap.object);
	vfree(snap.cache);
	vfree(sites);
}

static int __init books_init(void)
{
	snap.cache = vmalloc(array_size(MAX_CACHES, sizeof(*snap.cache)));
	sites = vzalloc(array_size(MAX_SITES, sizeof(*sites)));
	if (!snap.cache || !sites) {
		books_free();
		return -ENOMEM;
	}
	dir = debugfs_create_dir("books", NULL);
	debugfs_create_file("take", 0200, dir, NULL, &take_fops);
	debugfs_create_file("objects", 0400, dir, NULL, &objects_fops);
	debugfs_create_file("stacks", 0400, dir, NULL, &stacks_fops);
	debugfs_create_file_unsafe("now", 0400, dir, NULL, &now_fops);
	return 0;
}

static void __exit books_exit(void)
{
	debugfs_remove_recursive(dir);
	books_free();
}

module_init(books_init);
module_exit(books_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The kernel's own books of slab objects");
