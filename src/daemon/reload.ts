// SIGHUP: reads the configuration again and changes what can change while a node
// runs. What cannot is named in the log and waits for a restart; a mistake leaves
// everything as it was.

import type { Composed } from '../runtime/compose.js'
import { type Configuration, configure, type Flags } from './configuration.js'
import { SETTINGS } from './settings.js'

/** Returns the configuration that is in force afterwards. */
export const reload = (current: Configuration, flags: Flags, { node, log }: Composed): Configuration => {
  let next: Configuration
  try {
    next = configure(flags)
  } catch (error) {
    log.error('not reloaded', { error: error instanceof Error ? error.message : String(error) })
    return current
  }
  const changed = next.values
    .filter((each, i) => JSON.stringify(each.value) !== JSON.stringify(current.values[i]?.value))
    .map(({ key }) => key)
  const { labels, capacity, logLevel } = next.settings
  node.reconfigure({ labels, capacity })
  log.setLevel(logLevel)
  const waits = changed.filter(key => SETTINGS.find(setting => setting.key === key)?.reloads !== true)
  if (waits.length > 0) log.warn('these settings change at the next start', { settings: waits })
  log.info('reloaded', { changed })
  return next
}
