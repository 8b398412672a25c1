namespace BulkImporter.Finish;

public static class FinishSetup
{
    /// <summary>What finishes assets, on a worker.</summary>
    public static IServiceCollection AddFinish(this IServiceCollection services)
    {
        services.AddOptions<FinishOptions>().BindConfiguration(FinishOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.ClaimFor > TimeSpan.Zero, "BulkImporter:Finish:ClaimFor must be more than 0.")
            .ValidateOnStart();
        return services.AddSingleton<NameGallery>().AddSingleton<FinishRecords>();
    }

    /// <summary>What a person orders, behind the doors.</summary>
    public static IServiceCollection AddFinishOrders(this IServiceCollection services) => services.AddSingleton<FinishAgain>();
}
