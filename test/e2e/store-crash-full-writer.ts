// Writes into a store whose files may not grow beyond a limit that its parent set
// (`ulimit -f`): a disk that fills up, as far as LevelDB can tell, until a new log
// begins. Prints what was acknowledged and how often the store said that it was full.
// Arguments: directory, number of batches.

import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { realClock } from './real-clock.js'
import { batchValue, KEPT_BATCHES, keysOf } from './store-crash-check.js'

const [directory = '', batches = '0'] = process.argv.slice(2)
let full = 0
let well = 0
const store = await openDiskStore(directory, {
  clock: realClock(),
  retryMs: 1,
  // Larger than the limit, so that the log hits the limit before LevelDB begins another.
  writeBufferBytes: 4 << 20,
  onTrouble: trouble => {
    if (trouble === null) well++
    else if (trouble.code === 'STORE_FULL') full++
  },
})
let acknowledged = 0
for (let n = 1; n <= Number(batches); n++) {
  const expired = n > KEPT_BATCHES ? keysOf(n - KEPT_BATCHES) : []
  await store.write(
    [
      { key: 'last', value: new TextEncoder().encode(String(n)) },
      ...keysOf(n).map(key => ({ key, value: batchValue(n, 3_000) })),
      ...expired.map(key => ({ key, value: null })),
    ],
    true,
  )
  acknowledged = n
}
console.log(JSON.stringify({ acknowledged, full, well }))
// No close: what was acknowledged must not need one.
process.kill(process.pid, 'SIGKILL')
