// The long tests: stories of many nodes and of many kills, which need no more than Node and
// loopback either, and would make `npm test` longer than anybody waits before a commit.
export default {
  files: ['dist/test/**/*.long.test.js'],
  concurrency: 3,
  timeout: '5m',
}
