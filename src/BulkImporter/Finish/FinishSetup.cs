namespace BulkImporter.Finish;

public static class FinishSetup
{
    /// <summary>What finishes assets, on a worker.</summary>
    public static IServiceCollection AddFinish(this IServiceCollection services) =>
        services.AddSingleton<NameGallery>().AddSingleton<FinishRecords>();

    /// <summary>What a person orders, behind the doors.</summary>
    public static IServiceCollection AddFinishOrders(this IServiceCollection services) =>
        services.AddSingleton<FinishAgain>().AddSingleton<VerifyArrival>();
}
