import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openScene, type Scene } from './scene.ts'

/** Opens a scene with one instance for each test of a file, all on one server, and closes it afterwards. */
export function eachScene(begin: (scene: Scene) => void): void {
  let server: TestPostgres
  let scene: Scene
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    scene = await openScene(server.url)
    await scene.startInstance()
    begin(scene)
  })
  afterEach(() => scene.close())
}
