// `shoal key [FILE]`: a new mesh key, into a file or onto stdout.

import { ShoalError } from '../../core/errors.js'
import { line, printJson } from '../output.js'

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
    throw new ShoalError(
      'KEY_NOT_WRITTEN',
      `${file} cannot be written (${code}); name a file in a folder that is yours`,
    )
  })
  if (flags.json) printJson({ file, meshId })
  else
    line(`${file} holds the key of the new mesh ${meshId}; whoever has the file is in, so copy it with care`)
}
