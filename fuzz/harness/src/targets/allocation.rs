//! Counting what a thread allocates: a decoder must not allocate more than its input can justify.
//!
//! A program that wants to count makes [`Counting`] its global allocator (the shim of `decode` and the corpus tests do); in
//! any other program [`measure`] says that nothing is known.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes that this thread asked for; a constant initialiser, so that counting does not itself allocate.
    static ASKED: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread asked for and did not give back.
    static ALIVE: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread asks for.
#[derive(Debug)]
pub struct Counting;

fn count(bytes: usize) {
    // A thread that is ending counts no more.
    let _ended = ASKED.try_with(|asked| asked.set(asked.get().wrapping_add(bytes as u64)));
    lives(bytes as i64);
}

fn lives(bytes: i64) {
    let _ended = ALIVE.try_with(|alive| alive.set(alive.get().wrapping_add(bytes)));
}

/// Bytes that this thread asked for and did not give back: means something where a thread frees what it allocates itself.
#[must_use]
pub fn alive() -> i64 {
    ALIVE.with(Cell::get)
}

// SAFETY: every call is passed on to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        lives(-(layout.size() as i64));
        // SAFETY: as above; the pointer came from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        lives(-(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Whether this program counts.
#[must_use]
pub fn is_counted() -> bool {
    let (_, bytes) = measure(|| std::hint::black_box(Vec::<u8>::with_capacity(64)));
    bytes > 0
}

/// The result of `work`, and the bytes that this thread asked for meanwhile, freed ones included; 0 where nobody
/// counts.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = ASKED.with(Cell::get);
    let done = work();
    (done, ASKED.with(Cell::get).wrapping_sub(before))
}
