using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BulkImporter.Records;

public static class RecordsSetup
{
    public static IServiceCollection AddRecords(this IServiceCollection services)
    {
        services.TryAddSingleton<RecordTransitions>();
        return services.AddSingleton<ReadRecords>();
    }
}
