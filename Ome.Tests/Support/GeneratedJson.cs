using System.Runtime.CompilerServices;
using Ome.Shared.Kube;

namespace Ome.Tests.Support;

/// <summary>Tests read and write our kinds as the programs do: by generated code, which the client only takes before its first use.</summary>
internal static class GeneratedJson
{
#pragma warning disable CA2255 // Nobody references this assembly; the runner may use the client before any set-up of ours.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register() => ApiJson.Register();
}
