import '../shared/brand.css';
import './docs.css';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { dropOAuthParameters } from './drop-oauth';

dropOAuthParameters();

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
