// The spaces that Shoal itself keeps. Every node holds them, and nothing works without
// them: so there is always room for these, and for nothing else by a name like theirs.

export const OWN_SPACES = {
  tasks: 'shoal.tasks',
  claims: 'shoal.claims',
  checkpoints: 'shoal.checkpoints',
  results: 'shoal.results',
  mesh: 'shoal.mesh',
} as const
