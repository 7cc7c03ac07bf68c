// The number of a sample. It is the period in which the sample was taken, counted since
// 1970, so a gap in the numbers is exactly the time that nobody polled; and it never falls
// below what was reserved, so a successor whose clock is behind repeats no number.
//
// Numbers are reserved a block at a time and the reservation is saved before the first of
// them is used: a successor begins after the block, whatever of it was used.

export interface SampleNumbers {
  /** The highest number that may be used without another reservation. */
  readonly reserved: number
  /** The number for a sample that is taken now; above all earlier ones. */
  next(nowMs: number): number
  /** Whether `number` lies beyond the reservation; then `reserved` was raised and must be saved before use. */
  reserve(number: number): boolean
  /** Nothing above the last one was used: a planned hand-over leaves no hole. */
  release(): void
}

export const createSampleNumbers = (
  reservedBefore: number,
  periodMs: number,
  reserveMs: number,
): SampleNumbers => {
  const block = Math.max(1, Math.ceil(reserveMs / periodMs))
  let last = reservedBefore
  let reserved = reservedBefore
  return {
    get reserved() {
      return reserved
    },
    next(nowMs) {
      last = Math.max(last + 1, Math.floor(nowMs / periodMs))
      return last
    },
    reserve(number) {
      if (number <= reserved) return false
      reserved = number + block - 1
      return true
    },
    release() {
      reserved = last
    },
  }
}
