// `shoal config`: what `up` would use with these flags, variables and file, and where
// each value comes from. Secrets are files here, so only their names can be shown.

import { configure, type Flags } from '../../daemon/configuration.js'
import { SETTINGS, settingsSchema, variableOf } from '../../daemon/settings.js'
import { cell, line, printJson, table } from '../output.js'

export const config = async (
  flags: Flags & { readonly json?: true; readonly schema?: true },
): Promise<void> => {
  if (flags.schema) {
    printJson(settingsSchema())
    return
  }
  const { file, values, warnings } = configure(flags)
  if (flags.json) {
    printJson({
      file,
      values: Object.fromEntries(values.map(({ key, value, from }) => [key, { value, from }])),
    })
    return
  }
  const rows = values.map(({ key, value, from }) => {
    const byDefault = SETTINGS.find(setting => setting.key === key)?.byDefault ?? '-'
    return [
      key,
      value === null
        ? cell(byDefault, 'grey')
        : cell(typeof value === 'string' ? value : JSON.stringify(value)),
      cell(from, from === 'default' ? 'grey' : 'cyan'),
    ]
  })
  const columns = [{ title: 'SETTING' }, { title: 'VALUE', least: 24 }, { title: 'FROM', least: 12 }]
  for (const each of table(columns, rows)) line(each)
  line(file === null ? 'no configuration file is in use' : `the configuration file is ${file}`)
  for (const each of warnings) line(`warning: ${each}`)
  line(`every setting is also a variable, such as ${variableOf('capacity')}, and a key of the file`)
}
