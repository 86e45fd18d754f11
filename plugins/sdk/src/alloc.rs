//! The allocator of components.
//!
//! The standard library's for WebAssembly looks for the best fit and joins neighbours again, which takes longer than most of what a
//! codec or a scorer does between two allocations. Nearly all blocks are short texts and short lists, so those come from lists of
//! free blocks of one size each; what is larger goes to the standard library. Blocks are never joined again: an instance has little
//! memory, and is not meant to live long.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;

/// Block sizes are powers of two from 16 bytes to this many.
const LARGEST: usize = 8 << 10;
const SMALLEST: usize = 16;
const CLASSES: usize = (LARGEST / SMALLEST).trailing_zeros() as usize + 1;

/// What is asked of the standard library at a time, to be cut into blocks.
const CHUNK: usize = 64 << 10;

/// See the module.
pub struct Classes(UnsafeCell<State>);

struct State {
    free: [*mut u8; CLASSES],
    next: *mut u8,
    left: usize,
}

// SAFETY: a component has one thread.
unsafe impl Sync for Classes {}

impl Classes {
    /// An allocator that has given nothing out yet.
    pub const fn new() -> Self {
        Classes(UnsafeCell::new(State { free: [std::ptr::null_mut(); CLASSES], next: std::ptr::null_mut(), left: 0 }))
    }
}

/// The class of a block, if it is of one.
#[inline]
fn class(layout: Layout) -> Option<usize> {
    let size = layout.size().max(SMALLEST);
    let fits = size <= LARGEST && layout.align() <= SMALLEST;
    fits.then(|| (size - 1).ilog2() as usize + 1 - SMALLEST.ilog2() as usize)
}

impl State {
    #[inline]
    fn take(&mut self, class: usize) -> *mut u8 {
        let head = self.free[class];
        if !head.is_null() {
            // SAFETY: a free block begins with the address of the next one; it is at least 16 bytes long and so aligned.
            self.free[class] = unsafe { *head.cast::<*mut u8>() };
            return head;
        }
        self.cut(SMALLEST << class)
    }

    /// What is left of a chunk that is too short is given up: at most one block in a chunk.
    #[cold]
    fn cut(&mut self, size: usize) -> *mut u8 {
        if self.left < size {
            // SAFETY: the layout is not of zero size, and its alignment is a power of two.
            let chunk = unsafe { System.alloc(Layout::from_size_align_unchecked(CHUNK, SMALLEST)) };
            if chunk.is_null() {
                return chunk;
            }
            (self.next, self.left) = (chunk, CHUNK);
        }
        let block = self.next;
        // SAFETY: `left` bytes from `next` on are this allocator's.
        self.next = unsafe { block.add(size) };
        self.left -= size;
        block
    }
}

// SAFETY: blocks of a class are as long as the class and aligned to 16 bytes, come from `System`, and are on no list while they are
// in use; everything else is `System`'s.
unsafe impl GlobalAlloc for Classes {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match class(layout) {
            // SAFETY: there is one thread, and nothing in `take` comes back here.
            Some(class) => unsafe { (*self.0.get()).take(class) },
            // SAFETY: as the caller promises.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match class(layout) {
            // SAFETY: the block is of this class, and nobody uses it any more.
            Some(class) => unsafe {
                let state = &mut *self.0.get();
                *block.cast::<*mut u8>() = state.free[class];
                state.free[class] = block;
            },
            // SAFETY: as the caller promises.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is one that a layout may have.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class(layout), class(wanted)) {
            (Some(old), Some(new)) if old == new => block,
            // SAFETY: as the caller promises.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            // SAFETY: both blocks are at least as long as what is copied, and they are not the same block.
            _ => unsafe {
                let moved = self.alloc(wanted);
                if !moved.is_null() {
                    std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                moved
            },
        }
    }
}
