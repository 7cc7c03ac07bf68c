// Makes a folder and those above it. Not `mkdir` with `recursive`: where the system says ENOENT
// although the parent is there, as below /proc, that one asks again for ever and keeps a
// thread busy. This one goes up once and down once, so it always ends.

import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export const makeFolder = async (folder: string): Promise<void> => {
  try {
    await makeOne(folder)
  } catch (error) {
    const parent = dirname(folder)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error
    await makeFolder(parent)
    await makeOne(folder)
  }
}

const makeOne = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    // It may be there already, also on a file system that calls every mkdir a fault.
    const isThere = await stat(folder).then(
      found => found.isDirectory(),
      () => false,
    )
    if (!isThere) throw error
  }
}
