// Where the page begins. It knows the node only through the HTTP API of its own origin.

import { html, render } from 'htm/preact'
import { takeTokenFromHash } from './api.js'
import { App } from './app.js'
import { createSession } from './session.js'

takeTokenFromHash()
const root = document.getElementById('app')
if (root === null) throw new Error('the page has no place to draw')
root.textContent = ''
const session = createSession()
render(html`<${App} session=${session} />`, root)
session.start()
