import { MemoryStore, storeOver } from '../../src/sim/memory-store.js'
import { GROUP_COMMIT_MS, LAZY_COMMIT_MS, storeContract } from './store.js'

storeContract(async () => {
  const memory = new MemoryStore()
  return {
    open: async clock =>
      storeOver(memory, clock, { groupCommitMs: GROUP_COMMIT_MS, lazyCommitMs: LAZY_COMMIT_MS }),
    dispose: async () => {},
  }
})
