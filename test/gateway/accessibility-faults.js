// Runs in the browser: answers what somebody would stumble over on the page as it is shown now, one sentence a
// fault.
;(() => {
  function structureFaults() {
    const faults = []
    const all = [...document.querySelectorAll('*')]
    if (document.documentElement.lang === '') faults.push('The page has no language')
    if (document.title === '') faults.push('The page has no title')
    for (const role of ['header', 'main', 'footer'])
      if (document.querySelectorAll(role).length !== 1) faults.push(`There is not one ${role}`)
    const headings = [...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName.slice(1)))
    if (headings.filter((level) => level === 1).length !== 1) faults.push('There is not one first heading')
    const ids = all.map((one) => one.id).filter((id) => id !== '')
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`The id ${id} comes twice`)
    for (const name of ['aria-describedby', 'aria-labelledby', 'for'])
      for (const one of document.querySelectorAll(`[${name}]`))
        for (const id of (one.getAttribute(name) ?? '').split(' '))
          if (!ids.includes(id)) faults.push(`${name} points to ${id}, which is not there`)
    for (const input of document.querySelectorAll('input:not([type="hidden"], [hidden])')) {
      if (input.labels?.length !== 1) faults.push(`The input ${input.name} has no label`)
      if (input.autocomplete === '' && input.type !== 'checkbox')
        faults.push(`The input ${input.name} says nothing to password managers`)
    }
    for (const one of document.querySelectorAll('[aria-invalid="true"]'))
      if (!one.hasAttribute('aria-describedby')) faults.push(`The fault of ${one.id} is not tied to it`)
    for (const link of document.querySelectorAll('a, button'))
      if ((link.getAttribute('aria-label') ?? link.textContent).trim() === '')
        faults.push('A link has no text')
    for (const link of document.querySelectorAll('a[href^="#"]'))
      if (!ids.includes(link.hash.slice(1))) faults.push(`A link points to ${link.hash}, which is not there`)
    for (const one of document.querySelectorAll('[style], [onclick], style, script:not([src])'))
      faults.push(`${one.tagName} is inline`)
    return faults
  }

  /** Contrast as WCAG 2.2 asks for it (1.4.3, 1.4.11): 4.5 for text, 3 for large text and the edges of inputs. */
  function contrastFaults() {
    const parse = (color) => {
      const [r = 0, g = 0, b = 0, a = 1] = (color.match(/[\d.]+/g) ?? []).map(Number)
      return [r, g, b, a]
    }
    const luminance = ([r, g, b]) => {
      const linear = [r ?? 0, g ?? 0, b ?? 0].map((value) => {
        const part = value / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0)
    }
    const groundOf = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor)
        if (color[3] === 1) return color
      }
      return [255, 255, 255, 1]
    }
    const ratio = (one, other) => {
      const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
      return (light + 0.05) / (dark + 0.05)
    }
    const faults = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement
      if (!parent || (node.textContent ?? '').trim() === '' || parent.getClientRects().length === 0) continue
      const style = getComputedStyle(parent)
      const size = Number.parseFloat(style.fontSize)
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      const found = ratio(parse(style.color), groundOf(parent))
      if (found < (large ? 3 : 4.5))
        faults.push(`"${node.textContent?.trim()}" has a contrast of ${found.toFixed(2)}`)
    }
    for (const input of document.querySelectorAll(
      'input:not([type="hidden"], [type="checkbox"], [hidden])',
    )) {
      const found = ratio(parse(getComputedStyle(input).borderTopColor), groundOf(input.parentElement))
      if (found < 3) faults.push(`The edge of ${input.id} has a contrast of ${found.toFixed(2)}`)
    }
    return faults
  }

  /** Nothing sticks out to the side, and what is pressed is large enough (WCAG 2.2, 2.5.8: 24 pixels). */
  function sizeFaults() {
    const faults = []
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth > clientWidth) faults.push(`The page is ${scrollWidth} wide, the window ${clientWidth}`)
    for (const one of document.querySelectorAll(
      'button, input:not([type="hidden"], [type="checkbox"], [hidden])',
    )) {
      const { width, height } = one.getBoundingClientRect()
      if (width < 24 || height < 24) faults.push(`${one.id || one.textContent} is ${width} × ${height}`)
    }
    return faults
  }

  return [...structureFaults(), ...contrastFaults(), ...sizeFaults()]
})()
