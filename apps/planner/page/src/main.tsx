import { render } from 'preact'
import { Page } from './page.tsx'
import { begin } from './store.ts'
import './style.css'

const place = document.getElementById('page')
if (place) render(<Page />, place)
begin()
