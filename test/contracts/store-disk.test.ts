import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { GROUP_COMMIT_MS, LAZY_COMMIT_MS, storeContract } from './store.js'

storeContract(async () => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-store-'))
  return {
    open: clock =>
      openDiskStore(join(root, 'store'), {
        clock,
        groupCommitMs: GROUP_COMMIT_MS,
        lazyCommitMs: LAZY_COMMIT_MS,
      }),
    dispose: () => rm(root, { recursive: true, force: true }),
  }
})
