// The demo's work: a dozen tasks, as a small factory might declare them.

const MACHINES = [
  'press-1',
  'press-2',
  'press-3',
  'oven-1',
  'oven-2',
  'pump-1',
  'pump-2',
  'mixer-1',
  'robot-1',
  'robot-2',
]

export const demoTasks = (
  plcPort: number,
): readonly { readonly id: string; readonly [field: string]: unknown }[] => [
  ...MACHINES.map(machine => ({
    id: `poll-${machine}`,
    run: { module: 'poll.js' },
    input: { port: plcPort, machine },
  })),
  // Any program is a task: these two are shell scripts.
  { id: 'heartbeat', run: { exec: ['sh', '-c', 'while :; do date; sleep 1; done'] }, stopGrace: '1s' },
  {
    id: 'disk-watch',
    run: { exec: ['sh', '-c', 'while :; do df -P / | tail -n 1; sleep 2; done'] },
    stopGrace: '1s',
  },
]
