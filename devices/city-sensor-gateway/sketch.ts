// A summary of many values that stays small: count, sum, least, largest, and counts in
// buckets whose width grows with the value, from which any percentile follows to within
// one percent. Two summaries add up, and one can be saved and resumed, which no list of
// all values could at this size. (The buckets are those of DDSketch, VLDB 2019.) Pure.

export interface Sketch {
  count: number
  sum: number
  min: number
  max: number
  /** Bucket number → how many. Bucket 0 holds zero; negative values mirror the positive ones. */
  readonly buckets: Record<string, number>
}

export interface Summary {
  readonly count: number
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly p95: number
}

/** Neighbouring bucket bounds differ by this factor: an error of one percent at most. */
const GAMMA = 1.02
const LOG_GAMMA = Math.log(GAMMA)
/** Smaller magnitudes count as zero. */
const TINY = 1e-6
/** Keeps bucket numbers of tiny values positive, so that the sign can say which side. */
const SHIFT = 1 - Math.ceil(Math.log(TINY) / LOG_GAMMA)

export const createSketch = (): Sketch => ({ count: 0, sum: 0, min: 0, max: 0, buckets: {} })

const bucketOf = (value: number): number => {
  const size = Math.abs(value)
  if (size < TINY) return 0
  return Math.sign(value) * (Math.ceil(Math.log(size) / LOG_GAMMA) + SHIFT)
}

const middleOf = (bucket: number): number =>
  bucket === 0 ? 0 : (Math.sign(bucket) * 2 * GAMMA ** (Math.abs(bucket) - SHIFT)) / (GAMMA + 1)

/** Adds a value to the summary, in place: it is done for each reading. */
export const addValue = (sketch: Sketch, value: number): void => {
  const bucket = bucketOf(value)
  const first = sketch.count === 0
  sketch.count += 1
  sketch.sum += value
  sketch.min = first ? value : Math.min(sketch.min, value)
  sketch.max = first ? value : Math.max(sketch.max, value)
  sketch.buckets[bucket] = (sketch.buckets[bucket] ?? 0) + 1
}

/** Makes the low buckets one, down to so many: the high percentiles stay as exact as they were. False when it has no more. */
export const coarsen = ({ buckets }: Sketch, bucketsMax: number): boolean => {
  const sorted = Object.keys(buckets)
    .map(Number)
    .sort((a, b) => a - b)
  const low = sorted.slice(0, Math.max(0, sorted.length - bucketsMax))
  const lowest = sorted[low.length] ?? 0
  for (const bucket of low) {
    buckets[lowest] = (buckets[lowest] ?? 0) + (buckets[bucket] ?? 0)
    delete buckets[bucket]
  }
  return low.length > 0
}

/** The value that this share of all values does not exceed. */
export const quantile = (sketch: Sketch, share: number): number => {
  const rank = Math.max(1, Math.ceil(share * sketch.count))
  let seen = 0
  for (const bucket of Object.keys(sketch.buckets)
    .map(Number)
    .sort((a, b) => a - b)) {
    seen += sketch.buckets[bucket] ?? 0
    if (seen >= rank) return Math.min(sketch.max, Math.max(sketch.min, middleOf(bucket)))
  }
  return sketch.max
}

const tidy = (value: number): number => Number(value.toPrecision(6))

export const summaryOf = (sketch: Sketch): Summary => ({
  count: sketch.count,
  mean: tidy(sketch.sum / sketch.count),
  min: sketch.min,
  max: sketch.max,
  p95: tidy(quantile(sketch, 0.95)),
})
