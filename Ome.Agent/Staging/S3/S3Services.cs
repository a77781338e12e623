using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Ome.Agent.Staging.S3;

/// <summary>Wiring of the S3 source. The container also holds an <see cref="ISecretReader"/>.</summary>
public static class S3Services
{
    /// <summary>Adds <c>s3://</c>.</summary>
    public static IServiceCollection AddS3Source(this IServiceCollection services)
    {
        services.AddCheckedOptions<S3Options, S3OptionsRules>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<S3Clients>();
        services.AddSingleton<IArtifactSource, S3Source>();
        return services;
    }
}
