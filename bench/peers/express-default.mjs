/** Express as `npm i express` gives it, answering by itself: no router, no worker, no deadline, no validation. */
import express from 'express';
import { readyHttp } from './ready.mjs';

const app = express();

app.get('/echo/:message', (req, res) => {
  res.json({ message: req.params.message });
});

app.post('/echo', express.json(), (req, res) => {
  res.json({ message: req.body.message });
});

const server = app.listen(0, '127.0.0.1', () => readyHttp(server));
