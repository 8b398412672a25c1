import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { paths } from "./generated/importer.js";

// What somebody writes on their first day with the generated client: upload a manifest, start it, wait for its end, read the records.
const { BULKIMPORTER_SERVER: server, BULKIMPORTER_API_KEY: key } = process.env;
const manifest = process.argv[2];
if (!server || !key || !manifest) throw new Error("usage: BULKIMPORTER_SERVER=... BULKIMPORTER_API_KEY=... upload MANIFEST");

const client = createClient<paths>({ baseUrl: server, headers: { Authorization: `Bearer ${key}` } });
const uploaded = await client.POST("/api/v1/imports", {
  params: { query: { name: "From the TypeScript client", fileName: basename(manifest), start: true } },
  headers: { "Content-Type": "text/csv" },
  body: await readFile(manifest, "utf8"),
  bodySerializer: (csv) => csv,
});
if (uploaded.error) throw new Error(`${uploaded.error.title}: ${uploaded.error.detail}`);

let imported = uploaded.data;
while (imported.state !== "finished") {
  await wait(200);
  const { data, error } = await client.GET("/api/v1/imports/{id}", { params: { path: { id: imported.id } } });
  if (error) throw new Error(`${error.title}: ${error.detail}`);
  imported = data;
}

const records = await client.GET("/api/v1/imports/{id}/records", {
  params: { path: { id: imported.id }, query: { state: "imported" } },
});
if (records.error) throw new Error(`${records.error.title}: ${records.error.detail}`);
for (const record of records.data.items) console.log(`${record.rowNumber} ${record.url} ${record.rid}`);
