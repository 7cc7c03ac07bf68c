// `shoal key [FILE]`: a new mesh key, into a file or onto stdout.

import { line, printJson } from '../output.js'

export const key = async (file: string | undefined, flags: { readonly json?: true }): Promise<void> => {
  const { createMeshKey, newMeshKey } = await import('../../adapters/identity/mesh-key.js')
  if (file === undefined) {
    const text = newMeshKey()
    if (flags.json) printJson({ key: text })
    else process.stdout.write(text)
    return
  }
  const { meshId } = await createMeshKey(file)
  if (flags.json) printJson({ file, meshId })
  else
    line(`${file} holds the key of the new mesh ${meshId}; whoever has the file is in, so copy it with care`)
}
