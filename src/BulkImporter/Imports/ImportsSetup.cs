namespace BulkImporter.Imports;

public static class ImportsSetup
{
    public static IServiceCollection AddImports(this IServiceCollection services) => services
        .AddSingleton<CreateImport>()
        .AddSingleton<CreateImportOfFiles>()
        .AddSingleton<FetchManifest>()
        .AddSingleton<ReviseImport>()
        .AddSingleton<StartImport>()
        .AddSingleton<PauseImport>()
        .AddSingleton<ResumeImport>()
        .AddSingleton<CancelImport>()
        .AddSingleton<AskHosts>()
        .AddSingleton<DeleteImport>()
        .AddSingleton<ReadImports>()
        .AddSingleton<ReadChunks>()
        .AddSingleton<ReadHosts>()
        .AddSingleton<ReadStory>()
        .AddSingleton<ImportFeed>();
}
