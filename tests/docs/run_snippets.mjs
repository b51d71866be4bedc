// Runs JavaScript snippets, one after the other; prints a line of JSON for each.
const results = [];
for (const file of process.argv.slice(2)) {
  try {
    await import(file);
    results.push({ file, error: null });
  } catch (error) {
    results.push({ file, error: String(error?.stack ?? error) });
  }
}
console.log(`\nRESULTS ${JSON.stringify(results)}`);
process.exit(0);
