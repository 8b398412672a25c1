namespace BulkImporter.Records;

public static class RecordsSetup
{
    public static IServiceCollection AddRecords(this IServiceCollection services)
    {
        services.AddOptions<WorkOptions>().BindConfiguration(WorkOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<RecordTransitions>().AddSingleton<ReadRecords>().AddSingleton<FailingHosts>();
    }
}
