namespace BulkImporter.Records;

public static class RecordsSetup
{
    public static IServiceCollection AddRecords(this IServiceCollection services) => services
        .AddSingleton<RecordTransitions>()
        .AddSingleton<ReadRecords>();
}
