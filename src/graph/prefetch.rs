//! Asks for memory before it is read, so that several cache misses pass at once.
//!
//! The one module of the crate with `unsafe` code: a hint to the processor that reads nothing,
//! writes nothing and cannot fault.

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Asks for every cache line of `value`.
#[inline]
pub(super) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = std::ptr::from_ref(value).cast::<i8>();
        for line in 0..size_of::<T>().div_ceil(LINE).max(1) {
            let at = start.wrapping_add(line * LINE);
            // SAFETY: a prefetch never faults, whatever the address, and has no effect that a
            // program can see.
            #[expect(
                unsafe_code,
                reason = "there is no safe prefetch; see the module's head"
            )]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(at);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
