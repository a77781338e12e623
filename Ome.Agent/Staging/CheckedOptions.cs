using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Ome.Agent.Repair;
using Ome.Agent.Staging.Oci;
using Ome.Agent.Staging.S3;

namespace Ome.Agent.Staging;

/// <summary>Options whose ranges are checked when they are first asked for, by code the compiler makes of their attributes.</summary>
internal static class CheckedOptions
{
    /// <summary>Adds <typeparamref name="TOptions"/> itself; a value out of its range throws <see cref="OptionsValidationException"/>.</summary>
    public static void AddCheckedOptions<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TRules>(this IServiceCollection services)
        where TOptions : class
        where TRules : class, IValidateOptions<TOptions> => services
            .AddSingleton<IValidateOptions<TOptions>, TRules>()
            .AddSingleton(static provider => provider.GetRequiredService<IOptions<TOptions>>().Value);
}

[OptionsValidator]
internal sealed partial class StagingOptionsRules : IValidateOptions<StagingOptions>;

[OptionsValidator]
internal sealed partial class HuggingFaceOptionsRules : IValidateOptions<HuggingFaceOptions>;

[OptionsValidator]
internal sealed partial class RepairOptionsRules : IValidateOptions<RepairOptions>;

[OptionsValidator]
internal sealed partial class OciOptionsRules : IValidateOptions<OciOptions>;

[OptionsValidator]
internal sealed partial class S3OptionsRules : IValidateOptions<S3Options>;
