export { buildPage } from './build-page.ts'
export { createPlanner, type PlannerOptions } from './planner.ts'
