namespace BulkImporter.Parse;

public static class ParseSetup
{
    public static IServiceCollection AddParse(this IServiceCollection services) => services
        .AddSingleton<QueueParsing>()
        .AddSingleton<RebuildKeys>()
        .AddSingleton<ParseManifest>()
        .AddSingleton<PreviewManifest>()
        .AddSingleton<CorrectRecords>().AddSingleton<ReadRowsToFix>()
        .AddSingleton<ReadFindings>()
        .AddSingleton<SaveTemplate>()
        .AddSingleton<ReadTemplates>()
        .AddSingleton<DeleteTemplate>();
}
