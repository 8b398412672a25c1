namespace BulkImporter.Imports;

public static class ImportsSetup
{
    public static IServiceCollection AddImports(this IServiceCollection services)
    {
        services.AddOptions<ImportsOptions>().BindConfiguration(ImportsOptions.Section)
            .Validate(o => o.StalledAfter > TimeSpan.Zero, "BulkImporter:Imports:StalledAfter must be greater than 0.")
            .ValidateOnStart();
        return services
            .AddSingleton<CreateImport>()
            .AddSingleton<CreateImportOfFiles>()
            .AddSingleton<ReviseImport>()
            .AddSingleton<StartImport>()
            .AddSingleton<PauseImport>()
            .AddSingleton<ResumeImport>()
            .AddSingleton<CancelImport>()
            .AddSingleton<DeleteImport>()
            .AddSingleton<ReadImports>()
            .AddSingleton<ReadChunks>()
            .AddSingleton<ImportFeed>();
    }
}
