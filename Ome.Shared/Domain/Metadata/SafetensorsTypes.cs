namespace Ome.Shared.Domain.Metadata;

/// <summary>Element types of safetensors.</summary>
internal static class SafetensorsTypes
{
    /// <summary>Bits of one element; null for a type we do not know, which is then not held against the file.</summary>
    public static int? Bits(string type) => type switch
    {
        "F64" or "I64" or "U64" or "C64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "F6_E2M3" or "F6_E3M2" => 6,
        "F4" => 4,
        _ => null,
    };
}
