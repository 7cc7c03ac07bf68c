// `shoal doctor`: looks for what commonly goes wrong on a gateway, with the settings
// that `up` would use. It changes nothing but a file that it writes and removes again in
// the data folder. Exit 1 if something is wrong; a warning alone is no failure.

import { type Configuration, configure, type Flags } from '../../daemon/configuration.js'
import { FAILED } from '../errors.js'
import { type Colour, line, paint, plain, printJson } from '../output.js'
import type { Finding, Level } from './finding.js'
import { checkClock, checkFiles, checkKernel, checkMemory, checkNode, checkUser } from './machine.js'
import { checkAddresses, checkMulticast, checkPorts, checkSeeds, findNode } from './network.js'
import { checkData, checkDisk, checkKeys, checkModules } from './storage.js'

const MARKS: Readonly<Record<Level, readonly [string, Colour]>> = {
  ok: ['ok  ', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
}

export const doctor = async (flags: Flags & { readonly json?: true }): Promise<void> => {
  const configuration = configure(flags)
  const findings = await examine(configuration)
  if (flags.json) printJson(findings)
  else {
    for (const { check, level, text, fix } of findings) {
      const [mark, colour] = MARKS[level]
      line(`${paint(mark, colour)}  ${paint(check, 'bold')}: ${plain(text)}`)
      if (fix !== null) line(`      → ${plain(fix)}`)
    }
    const count = (level: Level): number => findings.filter(finding => finding.level === level).length
    line(`${count('fail')} wrong, ${count('warn')} to look at, ${count('ok')} as they should be`)
  }
  if (findings.some(({ level }) => level === 'fail')) process.exitCode = FAILED
}

const examine = async (configuration: Configuration): Promise<Finding[]> => {
  const node = await findNode(configuration)
  const parts = await Promise.all([
    checkNode(),
    checkUser(configuration),
    checkClock(),
    checkMemory(),
    checkFiles(),
    checkKernel(),
    checkKeys(configuration),
    checkData(configuration),
    checkModules(configuration),
    checkPorts(configuration, node.isOurs),
    checkAddresses(configuration),
    checkSeeds(configuration),
    checkMulticast(configuration),
  ])
  // After the rest, because writing disturbs what else is measured.
  return [...parts.flat(), ...(await checkDisk(configuration)), ...node.findings]
}
