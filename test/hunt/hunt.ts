/** A file of tests that was played with a seed. */
export interface Played {
  readonly file: string
  readonly seed: number
  /** How many tests showed the seed, and so ran. */
  readonly tests: number
  /** What was red; empty: nothing. */
  readonly red: readonly string[]
}

/** What a hunt works with. */
export interface HuntOptions {
  /** Files of tests, whether they have random ones or not. */
  readonly files: readonly string[]
  /** Plays the random tests of a file. */
  readonly play: (file: string, seed: number) => Promise<Played>
  /** Seeds that nobody has tried. */
  readonly freshSeed: () => number
  /** Whether to end; what is being played is played to its end. */
  readonly over: () => boolean
  readonly say: (line: string) => void
}

/** What a hunt has found. */
export interface Bag {
  readonly played: number
  readonly red: readonly Played[]
}

/** Plays random tests file by file, again and again with fresh seeds. A file without random tests is played once. */
export async function hunt({ files, play, freshSeed, over, say }: HuntOptions): Promise<Bag> {
  const red: Played[] = []
  let played = 0
  for (let left = files; left.length > 0;) {
    const random: string[] = []
    for (const file of left) {
      if (over()) return { played, red }
      const found = await play(file, freshSeed())
      if (found.tests > 0) {
        random.push(file)
        played++
      }
      if (found.red.length > 0) red.push(found)
      if (found.tests > 0 || found.red.length > 0) say(lineOf(found))
    }
    left = random
  }
  return { played, red }
}

function lineOf({ file, seed, tests, red }: Played): string {
  const verdict = red.length === 0 ? `${tests} green` : `RED\n${red.join('\n')}`
  return `${file}, seed ${seed}: ${verdict}`
}
