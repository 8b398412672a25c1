using BulkImporter.Cli;
using BulkImporter.Hosting;

return await CommandLine.RunAsync(args, new ServerVerbs(
    Serve: ServerHost.ServeAsync,
    Web: ServerHost.WebAsync,
    Work: ServerHost.WorkAsync,
    Migrate: ServerHost.MigrateAsync));
