// The machine tests: one file at a time, because they share the machine.
export default {
  files: ['dist/test/machine/**/*.test.js'],
  concurrency: 1,
  timeout: '5m',
}
