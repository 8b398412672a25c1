namespace BulkImporter.Imports;

public static class ImportsSetup
{
    public static IServiceCollection AddImports(this IServiceCollection services) => services
        .AddSingleton<StartImport>()
        .AddSingleton<PauseImport>()
        .AddSingleton<ResumeImport>()
        .AddSingleton<CancelImport>()
        .AddSingleton<ReadImports>();
}
