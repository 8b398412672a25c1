namespace BulkImporter.Reconcile;

public static class ReconcileSetup
{
    /// <summary>What looks for assets, on a worker.</summary>
    public static IServiceCollection AddReconcile(this IServiceCollection services)
    {
        services.AddOptions<ReconcileOptions>().BindConfiguration(ReconcileOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Grace > TimeSpan.Zero && o.GiveUpAfter >= o.Grace, "BulkImporter:Reconcile: Grace must be more than 0, and GiveUpAfter not less than Grace.")
            .Validate(o => o.ClockSkew >= TimeSpan.Zero, "BulkImporter:Reconcile:ClockSkew must not be negative.")
            .ValidateOnStart();
        return services.AddSingleton<WalkAssets>().AddSingleton<ReconcileUnknown>();
    }

    /// <summary>What a person does about a record in doubt, behind the doors.</summary>
    public static IServiceCollection AddAdoption(this IServiceCollection services) => services.AddSingleton<ReadCandidates>().AddSingleton<AdoptAsset>();
}
