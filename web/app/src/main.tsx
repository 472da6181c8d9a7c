/** Starts the page: signs in if the address asks for it, finds out who is here, and shows what they may see. */
import './app.css';
import '@prosa/react/prosa.css';
import { browserLanguage } from '@prosa/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Root } from './Root.js';
import { takeSignInToken } from './route.js';
import { enter } from './session.js';

const base = new URL('.', document.baseURI);
const element = document.getElementById('root');
if (!element) throw new Error('The page has no #root.');

document.documentElement.lang = browserLanguage();
const root = createRoot(element);
root.render(
  <StrictMode>
    <Root entering={enter(base, takeSignInToken())} base={base} />
  </StrictMode>,
);
