namespace BulkImporter.Reconcile;

public static class ReconcileSetup
{
    /// <summary>What looks for assets, on a worker.</summary>
    public static IServiceCollection AddReconcile(this IServiceCollection services) =>
        services.AddSingleton<WalkAssets>().AddSingleton<ReconcileUnknown>();

    /// <summary>What a person does about a record in doubt, behind the doors.</summary>
    public static IServiceCollection AddAdoption(this IServiceCollection services) =>
        services.AddSingleton<ReadCandidates>().AddSingleton<LookAtSource>().AddSingleton<LookAgain>().AddSingleton<AdoptAsset>();
}
