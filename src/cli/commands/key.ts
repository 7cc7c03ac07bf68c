// `shoal key [FILE]`: a new mesh key, into a file or onto stdout.

import { ShoalError } from '../../core/errors.js'
import { UsageError } from '../errors.js'
import { line, printJson } from '../output.js'

/** Another name would be as wrong. */
const DISK_FAULTS = ['ENOSPC', 'EDQUOT', 'EIO']

export const key = async (file: string | undefined, flags: { readonly json?: true }): Promise<void> => {
  const { createMeshKey, meshIdOf, newMeshKey } = await import('../../adapters/identity/mesh-key.js')
  if (file === undefined) {
    const text = newMeshKey()
    if (flags.json) {
      const hex = text.trimEnd().split('\n').at(-1) as string
      printJson({ key: text, meshId: meshIdOf(Buffer.from(hex, 'hex')) })
    } else process.stdout.write(text)
    return
  }
  const { meshId } = await createMeshKey(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof ShoalError || code === undefined) throw error
    const sentence = `${file} cannot be written (${code})`
    if (DISK_FAULTS.includes(code)) throw new ShoalError('KEY_NOT_WRITTEN', sentence)
    throw new UsageError(`${sentence}; name a file in a folder that is there and yours`)
  })
  if (flags.json) printJson({ file, meshId })
  else
    line(`${file} holds the key of the new mesh ${meshId}; whoever has the file is in, so copy it with care`)
}
